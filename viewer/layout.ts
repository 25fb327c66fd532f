import { FOXGLOVE_PANELS, layoutPanels, type Panel, REPLAY_CONTROLS } from './layout-panels.ts';
import type { LayoutTopic } from './layout-topics.ts';

/** Lichtblick's format is the one Foxglove had before; the new Foxglove reads both. */
export const LAYOUT_FORMATS = ['lichtblick', 'foxglove'] as const;
export type LayoutFormat = (typeof LAYOUT_FORMATS)[number];

/** Parts of a window, side by side or one above the other, each with its share of the space. */
interface Split {
  readonly direction: 'row' | 'column';
  readonly items: readonly { readonly share: number; readonly content: Split | Panel }[];
}

/** A layout to load into Foxglove or Lichtblick: pictures and scene, plots, and what a policy sees, side by side. */
export function layoutOf(topics: readonly LayoutTopic[], format: LayoutFormat): object {
  switch (format) {
    case 'lichtblick':
      return lichtblickLayout(arrange(topics, [REPLAY_CONTROLS]));
    case 'foxglove': {
      const root = arrange(topics, []);
      return { version: 1, ...(root && { content: foxgloveContent(root) }) };
    }
    default:
      return format satisfies never;
  }
}

function arrange(topics: readonly LayoutTopic[], controls: readonly Panel[]): Split | Panel | undefined {
  const { images, scene, plots, states, policy } = layoutPanels(topics);
  const left = split('column', [
    [2, split('row', equal(images))],
    [3, scene],
  ]);
  const middle = split('column', equal(plots));
  const right = split('column', equal(policy));
  return split('column', [
    [
      4,
      split('row', [
        [3, left],
        [2, middle],
        [2, right],
      ]),
    ],
    [1, split('row', equal([...controls, ...states]))],
  ]);
}

function equal(panels: readonly Panel[]): [number, Panel][] {
  return panels.map((panel) => [1, panel]);
}

/** Leaves out what is absent; a split of one is that one. */
function split(
  direction: Split['direction'],
  parts: readonly (readonly [share: number, content: Split | Panel | undefined])[],
): Split | Panel | undefined {
  const items = parts.flatMap(([share, content]) => (content ? [{ share, content }] : []));
  return items.length > 1 ? { direction, items } : items[0]?.content;
}

/** A binary tree of panel ids beside a table of their settings. */
function lichtblickLayout(root: Split | Panel | undefined): object {
  const configById: Record<string, object> = {};
  const mosaic = (node: Split | Panel): unknown => {
    if ('kind' in node) {
      const id = `${node.kind}!${Object.keys(configById).length + 1}`;
      configById[id] = { ...node.config, lichtblickPanelTitle: node.title };
      return id;
    }
    const { direction, items } = node;
    const [first, ...rest] = items;
    if (!first) return undefined;
    if (rest.length === 0) return mosaic(first.content);
    const total = items.reduce((sum, { share }) => sum + share, 0);
    return {
      direction,
      splitPercentage: (100 * first.share) / total,
      first: mosaic(first.content),
      second: mosaic({ direction, items: rest }),
    };
  };
  const layout = root && mosaic(root);
  return {
    configById,
    globalVariables: {},
    userNodes: {},
    playbackConfig: { speed: 1 },
    ...(layout !== undefined && { layout }),
  };
}

function foxgloveContent(node: Split | Panel): object {
  if ('kind' in node) {
    const { kind, title, config } = node;
    return { type: 'panel', panelType: FOXGLOVE_PANELS[kind], title, config, version: 1 };
  }
  const items = node.items.map(({ share, content }) => ({
    proportion: share,
    content: foxgloveContent(content),
  }));
  return { type: 'split', direction: node.direction, items };
}
