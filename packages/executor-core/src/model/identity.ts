/** Who git says has made a commit. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Reads `Name <mail>`; `null` when it has another form, or signs that a commit may not hold. */
export function parseIdentity(text: string): Identity | null {
  const [, name, email] = /^([^<>\p{Cc}]*[^<>\p{Cc}\s]) ?<([^<>\p{Cc}\s]+)>$/u.exec(text) ?? [];
  return name === undefined || email === undefined ? null : { name: name.trim(), email };
}
