/** Short messages at the edge of the screen. What draws them is fetched with the first one, not with the page. */
const toasts = () => import('sonner').then(({ toast }) => toast);

/** Says that something was done. */
export function tell(message: string): void {
  void toasts().then((toast) => toast.success(message));
}

/** Says what did not work, and the way out. */
export function tellFault(message: string): void {
  void toasts().then((toast) => toast.error(message, { duration: 10_000 }));
}
