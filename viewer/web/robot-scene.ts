import {
  AmbientLight,
  Box3,
  DirectionalLight,
  GridHelper,
  Object3D,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import UrdfLoader from 'urdf-loader';

/** Grey that is seen on dark and on light. */
const FLOOR = 0x8a94a0;

/** A robot in three dimensions that can be turned by mouse, finger and arrow keys. */
export interface RobotScene {
  /** Meshes that the description names; a recording does not hold them. */
  readonly missingMeshes: number;
  /** Radians or metres by joint name; names that the robot does not have are left out. */
  pose(positions: ReadonlyMap<string, number>): void;
  close(): void;
}

/**
 * Draws a URDF into a canvas. A chunk of its own: most pages never need it.
 *
 * @throws {Error} when the browser has no WebGL, or the description is none.
 */
export function createRobotScene(canvas: HTMLCanvasElement, urdf: string): RobotScene {
  let missingMeshes = 0;
  const loader = new UrdfLoader();
  loader.loadMeshCb = (_url, _manager, _material, done) => {
    missingMeshes++;
    done(new Object3D());
  };
  const robot = loader.parse(urdf);
  robot.rotation.x = -Math.PI / 2; // ROS has z up, three.js y

  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
  const scene = new Scene();
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.position.set(1.5, 3, 2);
  const floor = new GridHelper(2, 10, FLOOR, FLOOR);
  floor.material.transparent = true;
  floor.material.opacity = 0.35;
  scene.add(robot, new AmbientLight(0xffffff, 1.2), sun, floor);

  const box = new Box3().setFromObject(robot);
  // A robot of meshes alone, which are not there, is as large as its frames say: about a metre.
  const size = box.isEmpty() ? 1 : box.getSize(new Vector3()).length();
  const middle = box.isEmpty() ? new Vector3() : box.getCenter(new Vector3()).multiplyScalar(0.8);
  const camera = new PerspectiveCamera(40, 4 / 3, size / 100, size * 20);
  camera.position.copy(middle).add(new Vector3(0.46, 0.26, 0.46).multiplyScalar(size));
  const controls = new OrbitControls(camera, canvas);
  controls.target.copy(middle);
  controls.update();

  let isAsked = false;
  const draw = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      renderer.render(scene, camera);
    });
  };
  const fit = () => {
    const { clientWidth, clientHeight } = canvas;
    renderer.setPixelRatio(devicePixelRatio);
    renderer.setSize(clientWidth, clientHeight, false);
    camera.aspect = clientWidth / Math.max(1, clientHeight);
    camera.updateProjectionMatrix();
    draw();
  };
  const resized = new ResizeObserver(fit);
  resized.observe(canvas);
  controls.addEventListener('change', draw);
  return {
    get missingMeshes() {
      return missingMeshes;
    },
    pose(positions) {
      for (const [name, position] of positions) if (robot.joints[name]) robot.setJointValue(name, position);
      draw();
    },
    close() {
      resized.disconnect();
      controls.dispose();
      renderer.dispose();
    },
  };
}
