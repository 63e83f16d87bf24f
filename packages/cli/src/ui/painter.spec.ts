/* eslint-disable no-control-regex -- a terminal reads control characters */
import * as fc from 'fast-check';
import { FakeOut } from '../testing/fake-world';
import { Painter } from './painter';

/** As much of a terminal as the painter uses: cursor up, clear line, clear below, CR, LF. */
class Screen {
  readonly lines: string[] = [''];
  #row = 0;
  #column = 0;
  cursorShown = true;

  feed(text: string): void {
    for (const [part] of text.matchAll(/\u001B\[\??[0-9]*[A-Za-z]|\r|\n|[^\u001B\r\n]+/g))
      this.#take(part);
  }

  get shown(): readonly string[] {
    return this.lines.map((line) => line.trimEnd());
  }

  #take(part: string): void {
    const up = /^\u001B\[(\d+)A$/.exec(part)?.[1];
    if (up !== undefined) this.#row = Math.max(0, this.#row - Number(up));
    else if (part === '\r') this.#column = 0;
    else if (part === '\n') this.#newLine();
    else if (part === '\u001B[2K') this.lines[this.#row] = '';
    else if (part === '\u001B[J') this.#clearBelow();
    else if (part === '\u001B[?25l') this.cursorShown = false;
    else if (part === '\u001B[?25h') this.cursorShown = true;
    else if (!part.startsWith('\u001B')) this.#print(part);
  }

  #newLine(): void {
    this.#row += 1;
    if (this.#row === this.lines.length) this.lines.push('');
  }

  #clearBelow(): void {
    this.lines.length = this.#row + 1;
    this.lines[this.#row] = (this.lines[this.#row] ?? '').slice(0, this.#column);
  }

  #print(text: string): void {
    const line = (this.lines[this.#row] ?? '').padEnd(this.#column);
    this.lines[this.#row] =
      line.slice(0, this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }
}

function setUp(): { painter: Painter; out: FakeOut; screen: () => Screen } {
  const out = new FakeOut(true, 80, 24);
  const screen = (): Screen => {
    const fresh = new Screen();
    fresh.feed(out.text);
    return fresh;
  };
  return { painter: new Painter(out), out, screen };
}

describe('the painter', () => {
  it('shows the last frame, whatever came before', () => {
    const frames = fc.array(fc.array(fc.constantFrom('a', 'bb', 'ccc', ''), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(frames, (list) => {
        const { painter, screen } = setUp();
        for (const lines of list) painter.paint(lines);
        painter.stop();
        expect(screen().shown).toEqual([...(list.at(-1) ?? []), '']);
      }),
    );
  });

  it('rewrites only the lines that changed', () => {
    const { painter, out } = setUp();
    painter.paint(['one', 'two', 'three']);
    painter.paint(['one', 'TWO', 'three']);
    const last = out.writes.at(-1) ?? '';
    expect(last).toContain('TWO');
    expect(last).not.toContain('one');
    expect(last).not.toContain('three');
    painter.stop();
  });

  it('writes nothing when nothing changed', () => {
    const { painter, out } = setUp();
    painter.paint(['same']);
    const count = out.writes.length;
    painter.paint(['same']);
    expect(out.writes).toHaveLength(count);
    painter.stop();
  });

  it('wraps a paint into one synchronized update', () => {
    const { painter, out } = setUp();
    painter.paint(['x']);
    expect(out.writes.at(-1)).toMatch(/^\u001B\[\?2026h[^]*\u001B\[\?2026l$/);
    painter.stop();
  });

  it('prints notes above the block, where they stay', () => {
    const { painter, screen } = setUp();
    painter.paint(['frame 1', 'line 2']);
    painter.insert('Draining');
    painter.paint(['frame 2']);
    painter.stop();
    expect(screen().shown).toEqual(['Draining', 'frame 2', '']);
  });

  it('hides the cursor while it paints and gives it back once', () => {
    const { painter, out, screen } = setUp();
    painter.paint(['x']);
    expect(screen().cursorShown).toBe(false);
    painter.stop();
    painter.stop();
    expect(screen().cursorShown).toBe(true);
    expect(out.text.match(/\u001B\[\?25h/g)).toHaveLength(1);
  });

  it('gives the cursor back when the process ends without stopping it', () => {
    const { painter, screen } = setUp();
    const before = process.listeners('exit');
    painter.paint(['x']);
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    added[0]?.(0);
    expect(screen().cursorShown).toBe(true);
    painter.stop();
    expect(process.listeners('exit')).toEqual(before);
  });

  it('writes nothing at all when it never painted', () => {
    const { painter, out } = setUp();
    painter.stop();
    expect(out.text).toBe('');
  });
});
