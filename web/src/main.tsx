import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import 'pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css'
import './style/colours.css'
import './style/page.css'
import './style/lobby.css'
import './style/table.css'
import './style/waiting.css'
import './style/talk.css'
import './style/plain.css'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
