/** A rule in its own words for whatever breaks it, once a value; one that is not there is told as required instead. */
export const toldRule = (words: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? undefined : words),
  abort: true,
});
