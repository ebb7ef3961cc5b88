import { type FormEvent, type ReactNode, type RefObject, useState } from "react";
import { flushSync } from "react-dom";
import { formatCount } from "./format-time.ts";
import { type EventFilter, hasText, isFiltering, NO_FILTER } from "./shown-events.ts";
import { useRoving } from "./use-roving.ts";

/** Props of the bar above the events. */
export interface EventToolbarProps {
  readonly filter: EventFilter;
  readonly onFilter: (filter: EventFilter) => void;
  readonly typeCounts: ReadonlyMap<string, number>;
  /** The number of events that the filter shows, and of those that the run has. */
  readonly shownCount: number;
  readonly count: number;
  /** Whether more events may come. */
  readonly isLive: boolean;
  readonly isFollowing: boolean;
  /** The number of events that came since following was paused. */
  readonly unseenCount: number;
  readonly onFollow: (isFollowing: boolean) => void;
  readonly onJump: (sequence: number) => void;
  /** Moves the focus from a field to the events. */
  readonly onLeave: () => void;
  readonly filterField: RefObject<HTMLInputElement | null>;
  readonly jumpField: RefObject<HTMLInputElement | null>;
}

/** The most types that are shown as buttons. */
const MOST_CHIPS = 100;

/** Filter, jump and follow. */
export function EventToolbar(props: EventToolbarProps): ReactNode {
  const { filter, onFilter, shownCount, count, isLive, isFollowing, onFollow, filterField } = props;
  return (
    <div className="toolbar" role="search" aria-label="Events">
      <input
        ref={filterField}
        type="search"
        className="filter"
        aria-label="Filter by type"
        aria-keyshortcuts="/"
        placeholder="Filter by type"
        autoComplete="off"
        spellCheck={false}
        value={filter.text}
        onChange={({ currentTarget }) => onFilter({ ...filter, text: currentTarget.value.trim() })}
        onKeyDown={({ key, currentTarget }) => {
          if (key !== "Escape" && key !== "Enter") return;
          // The events without a filter must be drawn before one of them gets the focus.
          if (key === "Escape") flushSync(() => onFilter({ ...filter, text: "" }));
          currentTarget.blur();
          props.onLeave();
        }}
      />
      <span className="count soft">
        {isFiltering(filter) && `${formatCount(shownCount)} of `}
        {formatCount(count)}
      </span>
      <JumpForm {...props} />
      {isLive && (
        <button
          type="button"
          className="follow"
          aria-pressed={isFollowing}
          aria-keyshortcuts="f"
          onClick={() => onFollow(!isFollowing)}
        >
          Follow
          {props.unseenCount > 0 && ` · ${formatCount(props.unseenCount)} new`}
        </button>
      )}
      <TypeChips {...props} />
    </div>
  );
}

function JumpForm({
  onJump,
  onLeave,
  jumpField,
}: Pick<EventToolbarProps, "onJump" | "onLeave" | "jumpField">): ReactNode {
  const [text, setText] = useState("");

  function submit(event: FormEvent): void {
    event.preventDefault();
    const sequence = Number(text);
    if (Number.isSafeInteger(sequence) && sequence > 0) onJump(sequence);
    setText("");
  }

  return (
    <form className="jump" onSubmit={submit}>
      <input
        ref={jumpField}
        inputMode="numeric"
        pattern="[0-9]+"
        aria-label="Go to sequence"
        aria-keyshortcuts="g"
        placeholder="Go to #"
        autoComplete="off"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={({ key }) => {
          if (key !== "Escape") return;
          setText("");
          onLeave();
        }}
      />
    </form>
  );
}

function TypeChips({
  filter,
  onFilter,
  typeCounts,
}: Pick<EventToolbarProps, "filter" | "onFilter" | "typeCounts">): ReactNode {
  const roving = useRoving<HTMLDivElement>("first");
  if (typeCounts.size === 0) return null;
  const types = [...typeCounts].filter(
    ([eventType]) => filter.types.has(eventType) || hasText(filter, eventType),
  );
  const left = Math.max(0, types.length - MOST_CHIPS);

  function toggle(eventType: string): void {
    const types = new Set(filter.types);
    if (!types.delete(eventType)) types.add(eventType);
    onFilter({ ...filter, types });
  }

  return (
    <div className="chips" role="toolbar" aria-label="Types" {...roving}>
      <button type="button" aria-pressed={!isFiltering(filter)} onClick={() => onFilter(NO_FILTER)}>
        All
      </button>
      {types.slice(0, MOST_CHIPS).map(([eventType, many]) => (
        <button
          key={eventType}
          type="button"
          aria-pressed={filter.types.has(eventType)}
          onClick={() => toggle(eventType)}
        >
          {eventType} <span className="soft">{formatCount(many)}</span>
        </button>
      ))}
      {left > 0 && (
        <span className="soft">and {formatCount(left)} more types: filter to see them</span>
      )}
    </div>
  );
}
