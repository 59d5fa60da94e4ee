"""python -m emotion_dj: the command line."""

from emotion_dj.cli import main

if __name__ == "__main__":
    main()
