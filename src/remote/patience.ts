/** What was not acknowledged by then is sent again, in milliseconds. */
export const AGAIN_MS = 3000;
/** How often either side shows that it is there, looks for the others, and sends again what is late. */
export const BEAT_MS = 1000;
