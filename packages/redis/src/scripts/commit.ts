import { defineWriting, type Script } from "./script.ts";

/** The greatest age, in milliseconds, of the clock by which a run was seen. Otherwise a process that stalled would write a time that is long past. */
const MOST_SEEN_AGO_MS = 5_000;

/**
 * Compare-and-set: commits what was decided about runs of one slot, each by itself. It knows no rule: it compares and writes what it is given.
 *
 * KEYS: all that is named by an index in ARGV.
 * ARGV: the command that notifies; then for each commit
 * - the index of the run's head; the start that its text must have, empty if the run must not exist; the clock by which it was seen
 * - the owner's channel, empty to notify of nothing, and the run's id
 * - the number of checks, each as `=` or `<`, a value, and a command: what it answers must be equal, or less
 * - how many of ARGV its writes are, which are commands
 *
 * A command is the number of its arguments behind the key, its name, the key's index and these arguments.
 * Answers for each commit 1, 0 if it is in conflict, or `{error}`. A write that fails ends its commit, so those come first that may.
 */
const COMMIT_LUA = `
local try, time, out, at = redis.pcall, redis.call('TIME'), {}, 2
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)

local function command()
  local from = at + 3
  at = from + ARGV[at]
  return try(ARGV[from - 2], KEYS[tonumber(ARGV[from - 1])], unpack(ARGV, from, at - 1))
end

local function isSeen(head, version)
  if version == '' then return redis.call('EXISTS', head) == 0 end
  return try('GETRANGE', head, 0, #version - 1) == version
end

local function holdsCheck()
  local how, value = ARGV[at], ARGV[at + 1]
  at = at + 2
  local is = command() or ''
  if how == '<' then return (tonumber(is) or 0) < tonumber(value) end
  if type(is) == 'table' then is = is[1] or '' end
  return is == value
end

while at <= #ARGV do
  local head, seenMs, channel, runId, checks = KEYS[tonumber(ARGV[at])], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local holds = nowMs - seenMs <= ${MOST_SEEN_AGO_MS} and isSeen(head, ARGV[at + 1])
  at = at + 6
  for _ = 1, checks do holds = holdsCheck() and holds end
  local to, failure = at + 1 + ARGV[at], nil
  at = at + 1
  while holds and not failure and at < to do
    local written = command()
    -- A stream that has to be there answers nil if it is not.
    if not written then failure = 'lost' elseif type(written) == 'table' then failure = written.err end
  end
  at = to
  if holds and not failure and channel ~= '' then
    try(ARGV[1], head, '')
    try(ARGV[1], channel, runId)
  end
  out[#out + 1] = failure and { failure } or holds and 1 or 0
end
return out
`;

export const COMMIT: Script = defineWriting(COMMIT_LUA);

/** The same for commits that a full server takes too: of removals, and of heads alone, such as releases and renewals. */
export const COMMIT_SMALL: Script = defineWriting(COMMIT_LUA, "frees");
