import { createRoot } from "react-dom/client";

const Part = ({ type, text, url }) => {
  if (type === "text") return <span className="text">{text}</span>;
  return type === "file" ? <i className="file">{url.length}</i> : null;
};

/** Shows a chat. */
export function View({ messages, status, error, isWaiting = false, sendMessage, stop }) {
  const last = messages.at(-1);
  const failure = error?.message ?? last?.metadata?.run?.errorText ?? "";
  const send = (event) => {
    event.preventDefault();
    sendMessage({ text: new FormData(event.target).get("question") });
  };
  return (
    <main data-status={status} data-waiting={isWaiting}>
      <p id="failure">{failure}</p>
      {messages.map(({ id, role, parts }) => (
        <div key={id} className={role}>
          {parts.map((part, index) => (
            <Part key={index} {...part} />
          ))}
        </div>
      ))}
      <form onSubmit={send}>
        <input name="question" />
        <button id="send">Send</button>
      </form>
      <button id="stop" onClick={stop}>
        Stop
      </button>
    </main>
  );
}

/** The chat of this page's address. */
export const chatId = location.pathname.split("/").at(-1);
export const render = (element) => createRoot(document.querySelector("#root")).render(element);
