import { leadsOut } from './outward-links';

describe('a link', () => {
  it.each([
    ['a/b', '../c'],
    ['a/b', 'c/d'],
    ['a/b/c', '../../d/./e'],
    ['link', 'a'],
    ['a/b', '..'],
  ])('at %s to %s stays in the repository', (path, target) => {
    expect(leadsOut(path, target)).toBe(false);
  });

  it.each([
    ['a/b', '/etc/passwd'],
    ['a/b', '../../c'],
    ['link', '..'],
    // `c` may be a link as well, and then `..` is another folder's parent.
    ['a/b', 'c/../d'],
    ['a/b', '.././../x'],
    ['a', 'C:\\x'],
  ])('at %s to %s may leave it', (path, target) => {
    expect(leadsOut(path, target)).toBe(true);
  });
});
