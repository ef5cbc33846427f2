"""Stands for rerun: what is logged is kept, with its time."""

from types import SimpleNamespace


class Stream:
    """Stands for rerun's stream: keeps what is logged, with its time."""

    def __init__(self) -> None:
        self.logged: list[tuple[float, str, SimpleNamespace]] = []
        self.seconds = 0.0

    def set_time(self, timeline: str, duration: float) -> None:
        assert timeline == 'drive'
        self.seconds = duration

    def log(self, path: str, shown: SimpleNamespace, static: bool = False) -> None:
        self.logged.append((self.seconds, path, shown))

    def send_blueprint(self, layout: object) -> None: ...

    def flush(self, timeout_sec: float) -> None: ...

    def of(self, path: str) -> list[SimpleNamespace]:
        return [shown for _, at, shown in self.logged if at == path]


class Rerun:
    """Stands for the module: every archetype keeps its arguments."""

    def __getattr__(self, name: str) -> object:
        if name == 'blueprint':
            return Rerun()
        return lambda *args, **kw: SimpleNamespace(kind=name, args=args, **kw)


class Words(Rerun):
    MediaType = SimpleNamespace(MARKDOWN='md')
