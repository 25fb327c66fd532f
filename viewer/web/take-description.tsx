import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type { RecordingNow } from '../api.ts';
import { SOUNDS, type Sound } from './sound.ts';

interface Props {
  readonly status: RecordingNow;
  readonly onDescribe: (command: RecordingCommand) => void;
  readonly sound: Sound;
  readonly onSound: (sound: Sound) => void;
}

/** What the next take is of and who records it, from the contract's lists. */
export function TakeDescription({ status, onDescribe, sound, onSound }: Props) {
  const { task, tasks, operator, operators, scene, scenes, object, objects } = status;
  return (
    <div class="description">
      <div class="field">
        <label for="task">Task of the next take</label>
        <Choice
          id="task"
          value={task}
          values={tasks}
          onChoose={(chosen) => onDescribe({ kind: 'describe', task: chosen })}
        />
      </div>
      {objects.length > 0 && (
        <div class="field">
          <label for="object">Object</label>
          <OptionalChoice
            id="object"
            value={object}
            values={objects}
            onChoose={(chosen) => onDescribe({ kind: 'describe', object: chosen })}
          />
        </div>
      )}
      {scenes.length > 0 && (
        <div class="field">
          <label for="scene">Scene</label>
          <OptionalChoice
            id="scene"
            value={scene}
            values={scenes}
            onChoose={(chosen) => onDescribe({ kind: 'describe', scene: chosen })}
          />
        </div>
      )}
      <div class="field">
        <label for="operator">Operator</label>
        {operators.length > 0 ? (
          <Choice
            id="operator"
            value={operator}
            values={operators}
            onChoose={(chosen) => onDescribe({ kind: 'describe', operator: chosen })}
          />
        ) : (
          <input
            id="operator"
            key={operator}
            defaultValue={operator}
            maxLength={200}
            onChange={({ currentTarget: { value } }) => {
              if (value.trim()) onDescribe({ kind: 'describe', operator: value.trim() });
            }}
          />
        )}
      </div>
      <div class="field">
        <label for="sound">Sound</label>
        <Choice
          id="sound"
          value={sound}
          values={SOUNDS}
          onChoose={(chosen) => onSound(SOUNDS.find((each) => each === chosen) ?? 'off')}
        />
      </div>
    </div>
  );
}

/** The choice that says nothing. */
const NOTHING = '–';

interface OptionalChoiceProps {
  readonly id: string;
  readonly value: string | undefined;
  readonly values: readonly string[];
  readonly onChoose: (value: string | null) => void;
}

function OptionalChoice({ value = NOTHING, values, onChoose, id }: OptionalChoiceProps) {
  return (
    <Choice
      id={id}
      value={value}
      values={[NOTHING, ...values]}
      onChoose={(chosen) => onChoose(chosen === NOTHING ? null : chosen)}
    />
  );
}

interface ChoiceProps {
  readonly id: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}

function Choice({ id, value, values, onChoose }: ChoiceProps) {
  return (
    <select
      id={id}
      value={value}
      onChange={({ currentTarget }) => {
        onChoose(currentTarget.value);
        // Whoever chose by finger gives the keys back; whoever came by keyboard stays.
        if (!currentTarget.matches(':focus-visible')) currentTarget.blur();
      }}
    >
      {/* Whoever was named at the start need not be on the list. */}
      {[...new Set([value, ...values])].map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}
