/** Work that several targets ask for at the same time is done once. Failures are not remembered. */
export class SchedulerMemo {
  private readonly running = new Map<string, Promise<unknown>>();

  async once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.running.get(key);
    if (known !== undefined) return (await known) as T;
    const promise = work();
    this.running.set(key, promise);
    try {
      return await promise;
    } catch (thrown) {
      this.running.delete(key);
      throw thrown;
    }
  }
}
