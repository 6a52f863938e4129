/** Work that several targets ask for at the same time is done once. Nothing is remembered after it has ended. */
export class SchedulerMemo {
  private readonly running = new Map<string, Promise<unknown>>();

  async once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.running.get(key);
    if (known !== undefined) return (await known) as T;
    const promise = work();
    this.running.set(key, promise);
    try {
      return await promise;
    } finally {
      this.running.delete(key);
    }
  }
}
