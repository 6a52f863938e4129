/** The form in which `doctor` says what this machine has. */

/**
 * `ok`: there and working; `missing`: not there; `broken`: there, and does not work; `info`: a fact that stops nothing.
 */
export type CheckState = "ok" | "missing" | "broken" | "info";

export interface DoctorCheck {
  /** Stable, kebab-case. */
  readonly id: string;
  readonly title: string;
  readonly state: CheckState;
  /** Whether builds of this user need it: `missing` or `broken` then means exit status 3. */
  readonly required: boolean;
  /** What was found, in a few words. */
  readonly found: string;
  /** The command that mends it, where there is one. */
  readonly hint: string | null;
  readonly neededFor: string;
}

export interface CheckSubject {
  readonly id: string;
  readonly title: string;
  readonly neededFor: string;
}

export function working(subject: CheckSubject, found: string): DoctorCheck {
  return { ...subject, state: "ok", required: true, found, hint: null };
}

/** A fact; `hint` where something could be made of it. */
export function fact(subject: CheckSubject, found: string, hint: string | null = null): DoctorCheck {
  return { ...subject, state: "info", required: false, found, hint };
}

export interface Lack {
  readonly state: "missing" | "broken";
  readonly found: string;
  readonly hint: string | null;
  /** True unless only some trees need it. */
  readonly required?: boolean;
}

export function lacking(subject: CheckSubject, lack: Lack): DoctorCheck {
  return { ...subject, required: true, ...lack };
}

/** The same command for somebody who is not root. */
export function asRoot(uid: number, command: string): string {
  return uid === 0 ? command : `sudo ${command}`;
}
