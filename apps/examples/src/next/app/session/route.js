import { openSession, userOfToken } from "../../lib/sessions.js";

export async function POST(request) {
  const headers = new Headers();
  const session = await openSession(request, headers);
  session.userId = userOfToken(request);
  if (session.userId) await session.save();
  return new Response(null, { status: session.userId ? 204 : 401, headers });
}
export async function DELETE(request) {
  const headers = new Headers();
  (await openSession(request, headers)).destroy();
  return new Response(null, { status: 204, headers });
}
