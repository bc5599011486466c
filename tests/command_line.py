"""The command line as tests call it: in this process, with what it prints."""

from nnscratch.cli import main


def caller(capsys):
    """A function of arguments that returns (exit status, standard output, standard error)."""

    def call(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as exit:
            status = exit.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
