import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { followReports, lastReport } from './osc-progress';

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

  it('is told once per value while the file grows, also when a report is cut in two', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'osc-'));
    const path = join(folder, 'transcript.log');
    const seen: number[] = [];
    let tell = (): void => undefined;
    const next = (): Promise<void> => new Promise((resolve) => (tell = resolve));
    const stop = followReports(nodeFileSystem(), nodeClock(), path, (percent) => {
      seen.push(percent);
      tell();
    });
    const first = next();
    await appendFile(path, `${report(10)}${report(10)}\u001b]9;4;1;`);
    await first;
    const second = next();
    await appendFile(path, '60\u0007');
    await second;
    stop();
    await rm(folder, { recursive: true });
    expect(seen).toEqual([10, 60]);
  });
});
