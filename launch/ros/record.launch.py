"""Starts recording beside a robot: ros2 launch record.launch.py contract:=my-robot.yaml pedal:=/dev/input/by-id/..."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node


def generate_launch_description():
    contract = LaunchConfiguration("contract")
    library = LaunchConfiguration("library")
    operator = LaunchConfiguration("operator")
    pedal = LaunchConfiguration("pedal")
    duration = LaunchConfiguration("duration")
    takes = LaunchConfiguration("takes")
    by_pedal = PythonExpression(["'", pedal, "' != ''"])

    record = ["record", "-c", contract, "-o", library, "--operator", operator]
    # A node, not a mere process: namespaces, remappings and parameters of an including file reach it.
    common = {
        "executable": "kinescribe",
        "name": "kinescribe",
        "parameters": [{"use_sim_time": LaunchConfiguration("use_sim_time")}],
        "output": "screen",
        # A take that is running when launch stops is closed properly; that may take a moment.
        "sigterm_timeout": "30",
        "sigkill_timeout": "60",
    }
    return LaunchDescription(
        [
            DeclareLaunchArgument("contract", description="The YAML file that says what the streams are."),
            DeclareLaunchArgument("library", default_value="recordings", description="Folder of episodes."),
            DeclareLaunchArgument("operator", default_value="unknown", description="Pseudonym."),
            DeclareLaunchArgument("pedal", default_value="", description="Foot pedal that starts and stops."),
            DeclareLaunchArgument("duration", default_value="60", description="Without pedal: seconds per take."),
            DeclareLaunchArgument("takes", default_value="1", description="Without pedal: how many takes."),
            DeclareLaunchArgument("use_sim_time", default_value="false", description="Log times of /clock."),
            Node(arguments=[*record, "--pedal", pedal], condition=IfCondition(by_pedal), **common),
            Node(
                arguments=[*record, "--duration", duration, "--takes", takes],
                condition=UnlessCondition(by_pedal),
                **common,
            ),
        ]
    )
