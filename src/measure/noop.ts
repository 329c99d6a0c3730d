/** The task module that does nothing, so that what its subtasks take is the engine's own time. */
export default function noop(): null {
  return null;
}
