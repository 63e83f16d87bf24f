import { FakeOut } from '../testing/fake-world';
import { canPaint, capabilitiesOf } from './capabilities';

const tty = new FakeOut(true, 90, 30);
const pipe = new FakeOut(false);

describe('colour', () => {
  const color = (
    out: FakeOut,
    env: Record<string, string>,
    choice: 'auto' | 'always' | 'never' = 'auto',
  ) => capabilitiesOf(out, env, choice).color;

  it('is on in a terminal and off in a pipe', () => {
    expect(color(tty, {})).toBe(true);
    expect(color(pipe, {})).toBe(false);
  });

  it('follows NO_COLOR and FORCE_COLOR only when they are not empty', () => {
    expect(color(tty, { NO_COLOR: '1' })).toBe(false);
    expect(color(tty, { NO_COLOR: '' })).toBe(true);
    expect(color(pipe, { FORCE_COLOR: '1' })).toBe(true);
    expect(color(pipe, { FORCE_COLOR: '' })).toBe(false);
    expect(color(tty, { FORCE_COLOR: '0' })).toBe(false);
    expect(color(tty, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
  });

  it('is off on a dumb terminal, and the option outweighs everything', () => {
    expect(color(tty, { TERM: 'dumb' })).toBe(false);
    expect(color(pipe, { NO_COLOR: '1' }, 'always')).toBe(true);
    expect(color(tty, { FORCE_COLOR: '1' }, 'never')).toBe(false);
  });
});

describe('characters beyond ASCII', () => {
  const unicode = (env: Record<string, string>) => capabilitiesOf(tty, env, 'auto').unicode;

  it('follow the locale, the strongest variable first', () => {
    expect(unicode({ LANG: 'en_US.UTF-8' })).toBe(true);
    expect(unicode({ LANG: 'fr_FR.utf8' })).toBe(true);
    expect(unicode({ LANG: 'en_US.ISO-8859-1' })).toBe(false);
    expect(unicode({ LC_ALL: 'C', LANG: 'en_US.UTF-8' })).toBe(false);
    expect(unicode({ LC_ALL: '', LANG: 'en_US.UTF-8' })).toBe(true);
  });

  it('are assumed without a locale, and absent on the Linux console', () => {
    expect(unicode({})).toBe(true);
    expect(unicode({ TERM: 'linux', LANG: 'en_US.UTF-8' })).toBe(false);
  });
});

describe('size', () => {
  it('is the terminal’s', () => {
    expect(capabilitiesOf(tty, {}, 'auto')).toMatchObject({ columns: 90, rows: 30 });
  });

  it('is generous without one, unless COLUMNS says otherwise', () => {
    expect(capabilitiesOf(pipe, {}, 'auto')).toMatchObject({ columns: 100, rows: Infinity });
    expect(capabilitiesOf(pipe, { COLUMNS: '60' }, 'auto').columns).toBe(60);
    expect(capabilitiesOf(pipe, { COLUMNS: 'wide' }, 'auto').columns).toBe(100);
  });
});

it('frames are painted in a terminal that is neither dumb nor a CI log', () => {
  expect(canPaint(tty, {})).toBe(true);
  expect(canPaint(tty, { CI: 'true' })).toBe(false);
  expect(canPaint(tty, { TERM: 'dumb' })).toBe(false);
  expect(canPaint(pipe, {})).toBe(false);
});
