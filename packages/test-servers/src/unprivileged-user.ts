/** The user for programs that refuse to run as root. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const UNPRIVILEGED: SystemUser = { uid: 65_534, gid: 65_534 };

/** The system's user without rights for root; null for any other user, who needs no other. */
export const UNPRIVILEGED_USER: SystemUser | null = process.getuid?.() === 0 ? UNPRIVILEGED : null;
