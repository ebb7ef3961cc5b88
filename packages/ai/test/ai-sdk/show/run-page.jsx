import { useRunChat } from "./chat.jsx";
import { chatId, render, View } from "./view.jsx";

const Page = () => <View {...useRunChat(chatId)} />;
render(<Page />);
