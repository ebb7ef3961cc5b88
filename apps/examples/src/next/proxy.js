export const proxy = ({ method, nextUrl }) => console.log(method, nextUrl.pathname);
// Behind a proxy of Next.js a body is there only when it is whole, and lines are recorded as they arrive.
export const config = { matcher: "/((?!v1/agent-runs).*)" };
