/** What the doctor says of one thing. Whatever is not well has a cure that a person can carry out. */
export type Finding =
  | { topic: string; level: 'ok'; found: string }
  | { topic: string; level: 'warning' | 'problem'; found: string; cure: string };

export function ok(topic: string, found: string): Finding {
  return { topic, level: 'ok', found };
}

/** Works today, but somebody should know. */
export function warning(topic: string, found: string, cure: string): Finding {
  return { topic, level: 'warning', found, cure };
}

/** Does not work, or is not safe, until it is cured. */
export function problem(topic: string, found: string, cure: string): Finding {
  return { topic, level: 'problem', found, cure };
}

/** A word for a shell's command line, quoted where it needs to be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' } as const;

/** The findings as aligned lines, each cure below what it cures, and a last line that counts. */
export function renderFindings(findings: Finding[]): string[] {
  const topic_width = Math.max(0, ...findings.map(({ topic }) => topic.length));
  const mark_width = Math.max(...Object.values(MARKS).map((mark) => mark.length));
  const indent = ' '.repeat(2 + mark_width + 2 + topic_width + 2);
  const lines = findings.flatMap((finding) => {
    const [first = '', ...rest] = finding.found.split('\n');
    const told = [`  ${MARKS[finding.level].padEnd(mark_width)}  ${finding.topic.padEnd(topic_width)}  ${first}`.trimEnd()];
    told.push(...rest.map((line) => `${indent}${line}`));
    if (finding.level !== 'ok') told.push(`${indent}→ ${finding.cure}`);
    return told;
  });
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const named = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;
  const problems = count('problem');
  const warnings = count('warning');
  const sum =
    problems + warnings === 0
      ? 'All is well.'
      : [problems > 0 && named(problems, 'problem'), warnings > 0 && named(warnings, 'warning')].filter(Boolean).join(', ');
  return [...lines, '', `  ${sum}`];
}
