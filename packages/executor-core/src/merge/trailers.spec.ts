import * as fc from 'fast-check';
import { CANDIDATE_TRAILER, commitMessage, oneLine, parseTrailers } from './trailers';

const NOTE = { run: 'PEXEC-1', task: 'landing', agent: 'ui-super', attempt: 2, prompt: 'Build it' };
const subjectOf = (message: string): string => message.split('\n')[0] ?? '';

describe('commitMessage', () => {
  it('holds subject, body and trailers as paragraphs', () => {
    const message = commitMessage({ ...NOTE, candidate: 'c0ffee', body: 'Why.\n\nMore.' });
    expect(message).toBe(
      'landing: Build it\n\nWhy.\n\nMore.\n\n' +
        'Parallel-Run: PEXEC-1\nParallel-Task: landing\nParallel-Agent: ui-super\n' +
        'Parallel-Candidate: c0ffee\nParallel-Attempt: 2\n',
    );
  });

  it('leaves out what there is not', () => {
    const message = commitMessage({ ...NOTE, agent: null, prompt: null });
    expect(message).toBe(
      'landing: land\n\nParallel-Run: PEXEC-1\nParallel-Task: landing\nParallel-Attempt: 2\n',
    );
  });

  it('takes the first line of the prompt that says something', () => {
    expect(subjectOf(commitMessage({ ...NOTE, prompt: '\r\n  \nDo\tthis\r\nand that' }))).toBe(
      'landing: Do this',
    );
  });

  it('cuts a long subject to 72 characters without cutting one in two', () => {
    const subject = subjectOf(commitMessage({ ...NOTE, prompt: '😀'.repeat(100) }));
    expect(Array.from(subject)).toHaveLength(72);
    expect(subject.endsWith('😀…')).toBe(true);
  });

  it('cannot be made to hold a forged trailer or a control character', () => {
    const nasty = fc.string({ unit: 'binary', maxLength: 60 });
    const text = fc.oneof(
      nasty,
      nasty.map((part) => `${part}\n\n${CANDIDATE_TRAILER}: forged\r\n\u2028${part}`),
    );
    fc.assert(
      fc.property(text, text, text, (agent, prompt, body) => {
        const message = commitMessage({ ...NOTE, agent, prompt, body, candidate: 'real' });
        const trailers = parseTrailers(message);
        expect(trailers.get(CANDIDATE_TRAILER)).toBe('real');
        expect(trailers.get('Parallel-Task')).toBe('landing');
        expect(Array.from(subjectOf(message)).length).toBeLessThanOrEqual(72);
        expect(message.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202e]/u);
      }),
    );
  });
});

describe('parseTrailers', () => {
  it('reads the last paragraph only', () => {
    const message = 'x\n\nParallel-Task: body\n\nParallel-Task: real\nSigned-off-by: A <a@b>\n';
    expect([...parseTrailers(message)]).toEqual([
      ['Parallel-Task', 'real'],
      ['Signed-off-by', 'A <a@b>'],
    ]);
  });

  it('finds none in a subject, in prose or in nothing', () => {
    expect(parseTrailers('Parallel-Task: subject\n').size).toBe(0);
    expect(parseTrailers('x\n\nParallel-Task: a\nand some prose\n').size).toBe(0);
    expect(parseTrailers('').size).toBe(0);
  });

  it('survives the remark of a cherry-pick and other line ends', () => {
    const message = 'x\r\n\r\nParallel-Task: a\r\n(cherry picked from commit 0123)\r\n';
    expect(parseTrailers(message).get('Parallel-Task')).toBe('a');
  });
});

describe('oneLine', () => {
  it('joins lines, drops signs that reorder text and keeps other languages', () => {
    expect(oneLine(' a\n\tb\u202e c\u0000 ', 20)).toBe('a b c');
    expect(oneLine('日本語 ünï', 20)).toBe('日本語 ünï');
  });
});
