import type { SampleSettings } from '../../schemas/contract.ts';
import type { VideoBackend, VideoBackendName } from '../video-encoder.ts';
import type { CopiedVideo, VideoPlan } from '../video-survey.ts';

/** A form in which a writer takes the pictures of an episode; each form is made once for all writers. */
export type PictureForm =
  | {
      readonly kind: 'jpeg';
      /** 1 to 100, libjpeg's scale. */
      readonly quality: number;
      /** Those that a window observes, or all. */
      readonly frames: 'observed' | 'all';
    }
  /** Pixels, compressed without loss. */
  | { readonly kind: 'pixels' }
  | {
      readonly kind: 'video';
      readonly backend: VideoBackendName;
      readonly encoder: VideoBackend['encoder'];
      /** Whether the file may begin before the first frame, at the keyframe of a video that is copied. */
      readonly mayLead: boolean;
    };

/** Whether video becomes a form by copying. */
export function copies(form: PictureForm, plan: VideoPlan | undefined): plan is CopiedVideo {
  return form.kind === 'video' && plan?.isCopied === true && (plan.lead === 0 || form.mayLead);
}

/** Names how the pictures of a feature become a form: two forms of one name are one file. */
export function makingName(form: PictureForm, plan: VideoPlan | undefined): string {
  if (copies(form, plan)) return 'copied';
  return formName(form.kind === 'video' ? { ...form, mayLead: false } : form);
}

/** Names what the bytes of a form depend on. */
export function formName(form: PictureForm): string {
  switch (form.kind) {
    case 'jpeg':
      return `jpeg-${form.quality}`;
    case 'pixels':
      return 'pixels';
    case 'video':
      return `video-${form.backend}-${form.encoder}${form.mayLead ? '-led' : ''}`;
    default:
      throw form satisfies never;
  }
}

/** Each form once; of two that differ in their frames the one with all. Sorted by name. */
export function mergeForms(forms: readonly PictureForm[]): readonly PictureForm[] {
  const byName = new Map<string, PictureForm>();
  for (const form of forms) {
    const name = formName(form);
    if (!byName.has(name) || (form.kind === 'jpeg' && form.frames === 'all')) byName.set(name, form);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, form]) => form);
}

/** Whether a window shows the pictures of this frame. */
export function isObserved(
  index: number,
  { stride, observationSteps }: Pick<SampleSettings, 'stride' | 'observationSteps'>,
): boolean {
  const nextAnchor = Math.ceil(index / stride) * stride;
  return nextAnchor - index < observationSteps;
}
