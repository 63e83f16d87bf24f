import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gitAdapter } from '../adapters/simple-git';
import { parseIdentity } from '../model/identity';
import type { CommitSettings } from '../model/task';
import { makeRepository, type TestRepository } from '../testing/git-repository';
import { createCommitter } from './commit';
import { commitMessage } from './trailers';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

describe('commits that land', () => {
  let repository: TestRepository;
  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'a\n' });
  });
  afterEach(() => repository.cleanup());

  const message = (agent: string | null): string =>
    commitMessage({ run: 'PEXEC-1', task: 'x', agent, attempt: 1, prompt: 'Grüße, "x"' });
  const make = async (settings: Partial<CommitSettings>, text = message('ui')): Promise<string> => {
    const head = await repository.git(['rev-parse', 'HEAD']);
    const committer = createCommitter(gitAdapter(), repository.root, {
      author: 'user',
      sign: 'auto',
      ...settings,
    });
    const tree = await repository.git(['rev-parse', 'HEAD^{tree}']);
    return committer.commit({ tree, parents: [head], message: text });
  };
  const people = (commit: string): Promise<string> =>
    repository.git(['show', '-s', '--format=%an <%ae> | %cn <%ce>', commit]);
  const isSigned = async (commit: string): Promise<boolean> =>
    (await repository.git(['cat-file', 'commit', commit])).includes('\ngpgsig ');
  /** A signing key of ssh beside the repository, and git told to trust it. */
  const useKey = async (): Promise<void> => {
    const key = join(dirname(repository.root), 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
    const signers = join(dirname(repository.root), 'signers');
    const open = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' });
    writeFileSync(signers, `test@example.com ${open}`);
    await repository.git(['config', 'gpg.format', 'ssh']);
    await repository.git(['config', 'user.signingKey', key]);
    await repository.git(['config', 'gpg.ssh.allowedSignersFile', signers]);
  };

  it.each([
    ['user', 'Test <test@example.com>'],
    ['agent', 'ui <ui@agents.invalid>'],
    ['Robo Cop <robo@example.org>', 'Robo Cop <robo@example.org>'],
  ])('have the author %s, and the user as committer', async (author, expected) => {
    expect(await people(await make({ author }))).toBe(`${expected} | Test <test@example.com>`);
  });

  it('are by the user where no agent, or more than one, did the work', async () => {
    expect(await people(await make({ author: 'agent' }, message(null)))).toContain('Test <');
    const two = 'Two\n\nParallel-Agent: ui\nParallel-Agent: api\n';
    expect(await people(await make({ author: 'agent' }, two))).toContain('Test <');
  });

  it('are signed when the user signs, with whatever key the user has, and git verifies them', async () => {
    await useKey();
    expect(await isSigned(await make({}))).toBe(false);
    await repository.git(['config', 'commit.gpgSign', 'true']);
    const commit = await make({ author: 'agent' });
    await repository.git(['verify-commit', commit]);
    expect(await people(commit)).toBe('ui <ui@agents.invalid> | Test <test@example.com>');
    expect(await repository.git(['show', '-s', '--format=%B', commit])).toBe(message('ui'));
    expect(await isSigned(await make({ sign: 'never' }))).toBe(false);
  });

  it('are signed always, or never, when the plan says so', async () => {
    await useKey();
    await repository.git(['verify-commit', await make({ sign: 'always' })]);
    await repository.git(['config', 'commit.gpgSign', 'false']);
    expect(await isSigned(await make({ sign: 'auto' }))).toBe(false);
  });

  it('are refused, with the words of git, when they cannot be signed', async () => {
    await repository.git(['config', 'gpg.format', 'ssh']);
    await repository.git(['config', 'user.signingKey', '/does/not/exist']);
    await expect(make({ sign: 'always' })).rejects.toThrow('commit-tree');
  });
});

describe('parseIdentity', () => {
  it.each(['Jo <jo@x.org>', 'Jo van Dam <a+b@x>'])('reads %s', (text) => {
    const { name, email } = parseIdentity(text) ?? { name: '', email: '' };
    expect(`${name} <${email}>`).toBe(text);
  });
  it.each(['Jo', '<jo@x>', 'Jo <jo', 'Jo <a> <b>', 'Jo\nX <a@b>', 'Jo <>', 'Jo <a b>'])(
    'refuses %j',
    (text) => {
      expect(parseIdentity(text)).toBeNull();
    },
  );
});
