import { type Language, speak, useLanguage, useWords } from '../words/words.ts'

const NAMES: Record<Language, string> = { en: 'English', ko: '한국어' }

/** One button: the other language, in its own words. */
export const LanguageSwitch = () => {
  const other = useLanguage() === 'en' ? 'ko' : 'en'
  const { language } = useWords()
  return (
    <button type="button" className="quiet" lang={other} title={language} onClick={() => speak(other)}>
      {NAMES[other]}
    </button>
  )
}
