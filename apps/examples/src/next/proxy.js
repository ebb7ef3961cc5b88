export const proxy = ({ method, nextUrl }) => console.log(method, nextUrl.pathname);
// Behind a proxy of Next.js a body arrives only when it is whole, but lines must be recorded as they arrive.
export const config = { matcher: "/((?!v1/agent-runs).*)" };
