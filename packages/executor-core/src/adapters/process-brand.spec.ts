import { brandIn, brandOf, mayBrand } from './process-brand';

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    `Max file size             ${soft.padEnd(20)} unlimited            bytes     `,
  ].join('\n');

describe('the brand of an attempt', () => {
  it('is the same for the same run and task, and another for any other', () => {
    const brand = brandOf({ run: 'PEXEC-1', task: 'a' });
    expect(brandOf({ run: 'PEXEC-1', task: 'a' })).toBe(brand);
    const others = [
      { run: 'PEXEC-1', task: 'b' },
      { run: 'PEXEC-2', task: 'a' },
      { run: 'PEXEC-', task: '1a' },
    ];
    expect(new Set([brand, ...others.map(brandOf)]).size).toBe(4);
  });

  it('is a size of files that none has, and that the system can hold', () => {
    const brand = BigInt(brandOf({ run: 'PEXEC-1', task: 'a' }));
    expect(brand >= 2n ** 60n && brand < 2n ** 61n).toBe(true);
  });

  it('is read from the limits of a process', () => {
    const brand = brandOf({ run: 'PEXEC-1', task: 'a' });
    expect(brandIn(limits(brand))).toBe(brand);
    for (const other of ['unlimited', '1048576', '']) expect(brandIn(limits(other))).toBeNull();
    expect(brandIn('')).toBeNull();
  });

  it('is not put where it would lift a limit, but may replace another brand', () => {
    expect(mayBrand(limits('unlimited'))).toBe(true);
    expect(mayBrand(limits(brandOf({ run: 'PEXEC-1', task: 'a' })))).toBe(true);
    expect(mayBrand(limits('1048576'))).toBe(false);
    expect(mayBrand('')).toBe(false);
  });
});
