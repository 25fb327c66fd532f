import { render } from 'preact';
import { App } from './app.tsx';
import { RecordingScreen } from './recording-screen.tsx';
import './style.css';
import './timeline.css';
import './library.css';
import './judgement.css';

const root = document.getElementById('root');
if (root) render(location.pathname === '/record' ? <RecordingScreen /> : <App />, root);
