/** What the options are called where a room is made. */
export const optionLabels = {
  en: { night: 'A night lasts (seconds)', day: 'A day lasts (seconds)' },
  ko: { night: '밤의 길이 (초)', day: '낮의 길이 (초)' },
}
