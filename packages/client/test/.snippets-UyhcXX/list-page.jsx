import { List } from "./list.jsx";

export async function ListPage({ runs, user }) {
  const initial = await runs.list({ ownerId: user.id });
  return <List initial={initial} />;
}
