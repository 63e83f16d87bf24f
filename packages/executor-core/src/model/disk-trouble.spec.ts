import { diskTroubleOf } from './disk-trouble';

const coded = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

it.each([
  [coded('ENOSPC'), 'full'],
  [coded('EDQUOT'), 'quota'],
  [coded('EIO'), 'broken'],
  [coded('EROFS'), 'read-only'],
  [new Error('error: unable to write file: No space left on device'), 'full'],
  [new Error('fatal: Disk quota exceeded'), 'quota'],
  [new Error('no lease: ENOSPC: no space left on device, write'), 'full'],
  [new Error('outer', { cause: coded('EROFS') }), 'read-only'],
  [coded('ENOENT'), null],
  [new Error('the test says that space is left'), null],
  ['No space left on device', null],
  [null, null],
])('what %p says about the disk: %p', (error, trouble) => {
  expect(diskTroubleOf(error)).toBe(trouble);
});
