export type { RunEventsAgentConfig } from "./ag-ui/agent.ts";
export { RunEventsAgent } from "./ag-ui/agent.ts";
