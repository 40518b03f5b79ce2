/**
 * Makes a function that asks once for all who want the same at about the same time: whoever comes with a known key while its
 * answer is on its way, or within `keep_ms` after it came, gets that one. A failure goes to those who waited and is not kept.
 */
export function shareAnswers<T>(keep_ms: number): (key: string, ask: () => Promise<T>) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key, ask) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    answers.set(key, answer);
    answer.then(
      () => setTimeout(() => answers.delete(key), keep_ms).unref(),
      () => answers.delete(key),
    );
    return answer;
  };
}
