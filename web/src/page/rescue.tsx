import { Component, type ReactNode } from 'react'
import { useWords } from '../words/words.ts'

/** Shows what to do where a page of ours throws while it is drawn. */
export class Rescue extends Component<{ children: ReactNode; instead?: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return this.props.instead ?? <Broken />
  }
}

const Broken = () => {
  const { notice, room } = useWords()
  return (
    <main>
      <section className="notice" role="alert">
        <h1>{notice.broken}</h1>
        <p>{notice.brokenHint}</p>
        <button type="button" className="button primary" onClick={() => location.reload()}>
          {room.reload}
        </button>
      </section>
    </main>
  )
}
