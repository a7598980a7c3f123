#!/usr/bin/env python3
"""Compiles a CUDA source with NVRTC, for each architecture, and prints a table row for each of its kernels.

nvrtc.py LIBRARY SOURCE ARCHITECTURE...   LIBRARY is libnvrtc.so.13, whose folder must be in LD_LIBRARY_PATH.
Row: kernel, architecture, registers, stack bytes, spill bytes (stores + loads), code bytes. No card is needed.
"""

import ctypes
import re
import struct
import sys
from pathlib import Path

OPTIONS = ["-std=c++17", "--ptxas-options=-v"]


def text_of(library, program, what, binary=False):
    size = ctypes.c_size_t()
    getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(library, f"nvrtcGet{what}")(program, buffer)
    return buffer.raw if binary else buffer.value.decode()


def compiled(library, source, architecture):
    """The log, the PTX and the binary; as the node does it: every header by its plain name, from a string."""
    headers = sorted(source.parent.glob("*.cuh"))
    names = (ctypes.c_char_p * len(headers))(*[header.name.encode() for header in headers])
    texts = (ctypes.c_char_p * len(headers))(*[header.read_bytes() for header in headers])
    program = ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program), source.read_bytes(), source.name.encode(), len(headers), texts, names
    )
    options = [f"--gpu-architecture={architecture}", *OPTIONS]
    given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = made or library.nvrtcCompileProgram(program, len(options), given)
    log = text_of(library, program, "ProgramLog")
    if failed:
        sys.exit(f"nvrtc: {source.name} for {architecture}: error {failed}\n{log}")
    if not text_of(library, program, "PTX"):
        sys.exit(f"nvrtc: {source.name} for {architecture}: no PTX")
    return log, text_of(library, program, "CUBIN", binary=True)


def code_bytes(binary):
    """Size of the section of each kernel's code in a 64-bit ELF file."""
    at, = struct.unpack_from("<Q", binary, 40)
    size, count, names = struct.unpack_from("<HHH", binary, 58)
    sections = [struct.unpack_from("<IIQQQQ", binary, at + i * size) for i in range(count)]
    strings = sections[names][4]
    sizes = {}
    for section in sections:
        start = strings + section[0]
        name = binary[start : binary.index(0, start)].decode()
        if name.startswith(".text."):
            sizes[name.removeprefix(".text.")] = section[5]
    return sizes


def rows(log, sizes):
    """What the log says of each kernel; functions that kernels call have no line `Compiling entry function`."""
    for part in log.split("Compiling entry function '")[1:]:
        kernel = part.split("'")[0]
        registers = int(re.search(r"Used (\d+) registers", part).group(1))
        stack = int(re.search(r"(\d+) bytes stack", part).group(1))
        spills = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        yield kernel, registers, stack, spills, sizes[kernel]


def main():
    library, source = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2])
    for architecture in sys.argv[3:]:
        log, binary = compiled(library, source, architecture)
        for kernel, registers, stack, spills, code in sorted(rows(log, code_bytes(binary))):
            print(f"| `{kernel}` | {architecture} | {registers} | {stack} | {spills} | {code} |")


main()
