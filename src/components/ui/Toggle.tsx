interface ToggleProps {
  label: string;
  checked: boolean;
  onChange(checked: boolean): void;
}

/** One thing that is on or off, in a bar of such. */
export function Toggle({ label, checked, onChange }: ToggleProps) {
  return (
    <label className="flex cursor-pointer items-center gap-1.5 text-soft text-sm hover:text-ink">
      <input
        type="checkbox"
        className="size-4 accent-(--color-accent)"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
