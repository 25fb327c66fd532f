interface Props {
  /** `loss`, `mark`, `finding`: how it looks. */
  readonly kind: string;
  readonly fromSecs: number;
  readonly toSecs: number;
  readonly durationSecs: number;
  /** What is read aloud, and shown when it is pointed at. */
  readonly text: string;
  readonly onPress: () => void;
  readonly children?: preact.ComponentChildren;
}

/** A place on a lane of the time line that can be pressed and explains itself. */
export function LaneSpan({ kind, fromSecs, toSecs, durationSecs, text, onPress, children }: Props) {
  const share = (secs: number) => `${(100 * secs) / (durationSecs || 1)}%`;
  return (
    <button
      type="button"
      class={`lane-span ${kind}${fromSecs > durationSecs / 2 ? ' right' : ''}`}
      style={{ left: share(fromSecs), width: share(toSecs - fromSecs) }}
      aria-label={text}
      data-text={text}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={onPress}
    >
      {children}
    </button>
  );
}
