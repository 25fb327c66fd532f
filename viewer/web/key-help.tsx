import { useEffect, useRef } from 'preact/hooks';
import { KEY_GROUPS } from './episode-keys.ts';

/** Every key of the page, over the page. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="key-help"
      aria-labelledby="key-help-title"
      onClose={onClose}
      onKeyDown={({ key }) => key === '?' && dialog.current?.close()}
    >
      <header>
        <h2 id="key-help-title">Keys</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close <kbd>esc</kbd>
        </button>
      </header>
      <div class="key-groups">
        {Object.entries(KEY_GROUPS).map(([group, actions]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {actions.map(({ shown, text }) => (
                <div key={shown}>
                  <dt>
                    <kbd>{shown}</kbd>
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
