/** Who runs a program that refuses to be root. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: SystemUser = { uid: 65_534, gid: 65_534 };

/** `nobody` for root; null for anyone else, who needs no other user. */
export const UNPRIVILEGED_USER: SystemUser | null = process.getuid?.() === 0 ? NOBODY : null;
