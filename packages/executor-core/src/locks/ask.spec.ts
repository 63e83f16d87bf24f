import { isIdentity, parseAsk, parseObject } from './ask';

const ask = {
  ticket: 0,
  request: 'name-1',
  run: 'PEXEC-1',
  task: 't',
  priority: 50,
  slots: [1, 2],
  access: { reads: ['a'], writes: [] },
  resources: [
    { id: 'db', exclusive: true },
    { id: 'gpu', exclusive: false, amount: 1, capacity: null },
  ],
  policy: 'auto_merge',
  requestedAt: 5,
};

describe('a request of another process', () => {
  it('is read as it was said', () => {
    expect(parseAsk(parseObject(JSON.stringify(ask)))).toEqual(ask);
  });

  it.each([
    ['no object', 7],
    ['a name that is a path', { ...ask, request: '../x' }],
    ['a run that is none', { ...ask, run: 'run' }],
    ['a task that is a path', { ...ask, task: '../../etc' }],
    ['a task that is a slot', { ...ask, task: 'agent-1' }],
    ['a ticket below zero', { ...ask, ticket: -1 }],
    ['a priority in words', { ...ask, priority: 'high' }],
    ['a slot that is no number', { ...ask, slots: [1, '2'] }],
    ['slots that are no list', { ...ask, slots: { length: 1 } }],
    ['no access', { ...ask, access: null }],
    ['a glob that is no text', { ...ask, access: { reads: [], writes: [null] } }],
    ['a resource without a name', { ...ask, resources: [{ exclusive: true }] }],
    ['a capacity in words', { ...ask, resources: [{ id: 'a', exclusive: true, capacity: 'x' }] }],
    ['a policy nobody knows', { ...ask, policy: 'force' }],
    ['no time', { ...ask, requestedAt: undefined }],
  ])('is none with %s', (_, value) => {
    expect(parseAsk(value)).toBeNull();
  });
});

describe('a process', () => {
  it('is named by pid, start time, boot and host', () => {
    const owner = { pid: 1, startTime: '1', bootId: 'b', host: 'h' };
    expect(isIdentity(owner)).toBe(true);
    expect(isIdentity({ ...owner, pid: '1' })).toBe(false);
    expect(isIdentity({ ...owner, host: undefined })).toBe(false);
    expect(isIdentity(null)).toBe(false);
  });
});
