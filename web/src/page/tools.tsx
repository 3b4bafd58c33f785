import { useMemo, useRef } from 'react'
import { useKeys } from '../keys.ts'
import { toggleSound, useSound } from '../sound.ts'
import { useWords } from '../words/words.ts'
import { LanguageSwitch } from './language-switch.tsx'

/** What every page offers: sound on or off, the keys, the other language. */
export const Tools = () => {
  const { sound, keys } = useWords()
  const isOn = useSound()
  const help = useRef<HTMLDialogElement>(null)
  useKeys(
    useMemo(
      () => ({
        '?': () => help.current?.showModal(),
        s: toggleSound,
      }),
      [],
    ),
  )
  return (
    <div className="tools">
      <button
        type="button"
        className="quiet tool"
        aria-pressed={isOn}
        aria-label={sound.on}
        title={`${isOn ? sound.on : sound.off} (S)`}
        aria-keyshortcuts="s"
        onClick={toggleSound}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" />
          {isOn ? <path d="M15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" /> : <path d="M16 9.5l5 5M21 9.5l-5 5" />}
        </svg>
      </button>
      <button
        type="button"
        className="quiet tool keys-button"
        aria-label={keys.help}
        title={`${keys.help} (?)`}
        aria-keyshortcuts="?"
        onClick={() => help.current?.showModal()}
      >
        ?
      </button>
      <LanguageSwitch />
      <dialog ref={help} className="keys" aria-labelledby="keys-title">
        <h2 id="keys-title">{keys.title}</h2>
        <dl>
          <Key name="?" does={keys.help} />
          <Key name="S" does={keys.sound} />
          <Key name="M" does={keys.microphone} />
          <Key name="V" does={keys.camera} />
          <Key name="T" does={keys.talk} />
          <Key name="B" does={keys.board} />
          <Key name={keys.arrowsKey} does={keys.arrows} />
          <Key name="Enter" does={keys.enter} />
          <Key name="Esc" does={keys.escape} />
        </dl>
        <form method="dialog">
          <button type="submit" className="button primary">
            {keys.close}
          </button>
        </form>
      </dialog>
    </div>
  )
}

const Key = ({ name, does }: { name: string; does: string }) => (
  <div>
    <dt>
      <kbd>{name}</kbd>
    </dt>
    <dd>{does}</dd>
  </div>
)
