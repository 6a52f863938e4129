/** Names that a STOPSIGNAL may have, without `SIG`: those of Linux on x86 and ARM, as Docker lists them. */
const names: ReadonlySet<string> = new Set([
  ..."ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS".split(" "),
  ..."TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX".split(" "),
  ...Array.from({ length: 15 }, (_, n) => `RTMIN+${n + 1}`),
  ...Array.from({ length: 14 }, (_, n) => `RTMAX-${n + 1}`),
]);

/** Whether BuildKit takes this as a STOPSIGNAL: a number other than 0, or a name of any case with or without `SIG`. */
export function isStopSignal(text: string): boolean {
  if (/^[-+]?[0-9]{1,18}$/.test(text)) return Number(text) !== 0;
  return names.has(text.toUpperCase().replace(/^SIG/, ""));
}
