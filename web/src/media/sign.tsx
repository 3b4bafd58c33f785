import type { ReactNode } from 'react'

export type SignName = 'camera' | 'microphone' | 'screen' | 'devices'

const LINES: Readonly<Record<SignName, ReactNode>> = {
  camera: <path d="M4 7.5h10.5v9H4zM14.5 11l5.5-3v8l-5.5-3z" />,
  microphone: <path d="M9.5 6a2.5 2.5 0 0 1 5 0v5a2.5 2.5 0 0 1-5 0zM6.5 10.5a5.5 5.5 0 0 0 11 0M12 16v3.5M9 19.5h6" />,
  screen: <path d="M3.5 5.5h17v11h-17zM9 20h6M12 13.5v-5M9.5 10.5 12 8l2.5 2.5" />,
  devices: <path d="M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5M15 5v4M9 10v4M13 15v4" />,
}

/** A drawn sign, crossed out where what it stands for is off. */
export const Sign = ({ of, isOff = false }: { of: SignName; isOff?: boolean }) => (
  <svg className="sign" viewBox="0 0 24 24" aria-hidden="true">
    {LINES[of]}
    {isOff && (
      <>
        <path className="sign-gap" d="M3.2 4.8 20 21.6" />
        <path d="M4 3.5 20.5 20" />
      </>
    )}
  </svg>
)
