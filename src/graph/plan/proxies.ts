const names = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"] as const;

/**
 * Proxy build arguments, of any case, reach every RUN without an ARG, in both spellings and after everything else. Where
 * two spellings were given the last by bytes counts.
 */
export function proxyEnvironment(buildArguments: ReadonlyMap<string, string>): readonly string[] {
  const given = new Map<string, string>();
  for (const name of [...buildArguments.keys()].sort()) {
    given.set(name.toLowerCase(), buildArguments.get(name) ?? "");
  }
  return names.flatMap((name) => {
    const value = given.get(name) ?? "";
    return value === "" ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`];
  });
}
