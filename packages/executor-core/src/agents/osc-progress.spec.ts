import { HandClock } from '../testing/hand-clock';
import { lastReport, reportReader } from './osc-progress';

const report = (percent: number, state = 1, end = '\u0007'): string =>
  `\u001b]9;4;${state};${percent}${end}`;

describe('progress in an agent’s output', () => {
  it('is the last report, however it ends, whatever stands around it', () => {
    expect(lastReport(`a${report(10)}b${report(40, 1, '\u001b\\')}c`)).toBe(40);
  });

  it('is unknown without a report, after its removal and while it is indeterminate', () => {
    expect(lastReport('40 % done')).toBeNull();
    expect(lastReport(`${report(40)}\u001b]9;4;0\u0007`)).toBeNull();
    expect(lastReport(report(40, 3))).toBeNull();
  });

  it('is never more than all', () => {
    expect(lastReport(report(999))).toBe(100);
  });

  it('is told once per value, also when a report is cut anywhere', () => {
    const text = `${report(10)}${report(10)} and ${report(60)}`;
    for (let at = 0; at <= text.length; at += 1) {
      const clock = new HandClock();
      const seen: number[] = [];
      const reader = reportReader(clock, (percent) => seen.push(percent));
      for (const part of [text.slice(0, at), text.slice(at)]) reader.take(Buffer.from(part));
      clock.pass(500);
      expect(seen.at(-1)).toBe(60);
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('is told twice a second at most, the newest last, and not after the end', () => {
    const clock = new HandClock();
    const seen: number[] = [];
    const reader = reportReader(clock, (percent) => seen.push(percent));
    for (let percent = 0; percent <= 100; percent += 1) reader.take(Buffer.from(report(percent)));
    clock.pass(500);
    reader.take(Buffer.from(report(7)));
    reader.stop();
    clock.pass(5000);
    reader.take(Buffer.from(report(8)));
    expect(seen).toEqual([0, 100]);
  });
});
