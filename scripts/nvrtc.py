#!/usr/bin/env python3
"""Compiles the CUDA kernels with NVRTC. No card is needed. LIBRARY is libnvrtc.so, whose folder must be in LD_LIBRARY_PATH.

nvrtc.py LIBRARY SOURCE ARCHITECTURE...   prints a table row for each kernel of a source and each architecture: kernel,
                                          architecture, registers, stack bytes, spill bytes (stores + loads), code bytes
nvrtc.py --ptx LIBRARY FOLDER             writes the PTX of all sources, which drivers compile for cards of compute
                                          capability 7.5 and later: MODULE-HASH.ptx
nvrtc.py --hash                           prints that hash of the sources
"""

import ctypes
import hashlib
import re
import struct
import sys
from pathlib import Path

# As crates/accel/src/gpu/cuda/nvrtc.rs has them.
OPTIONS = ["-std=c++17"]
PTX_ARCHITECTURE = "compute_75"
FOLDER = Path(__file__).parent.parent / "kernels" / "cuda"


def hash_of_sources():
    """As crates/accel/src/gpu/cuda/sources.rs: of name, zero byte, text, zero byte of each file, in the order of names."""
    digest = hashlib.sha256()
    for file in sorted([*FOLDER.glob("*.cu"), *FOLDER.glob("*.cuh")], key=lambda file: file.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def text_of(library, program, what, binary=False):
    size = ctypes.c_size_t()
    getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(library, f"nvrtcGet{what}")(program, buffer)
    return buffer.raw if binary else buffer.value.decode()


def compiled(library, source, architecture, *more):
    """The program, and what the compiler says; as the node does it: every header by its plain name, from a string."""
    headers = sorted(source.parent.glob("*.cuh"))
    names = (ctypes.c_char_p * len(headers))(*[header.name.encode() for header in headers])
    texts = (ctypes.c_char_p * len(headers))(*[header.read_bytes() for header in headers])
    program = ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program), source.read_bytes(), source.name.encode(), len(headers), texts, names
    )
    options = [f"--gpu-architecture={architecture}", *OPTIONS, *more]
    given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = made or library.nvrtcCompileProgram(program, len(options), given)
    log = text_of(library, program, "ProgramLog")
    if failed:
        sys.exit(f"nvrtc: {source.name} for {architecture}: error {failed}\n{log}")
    return program, log


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


def write_ptx(library, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(FOLDER.glob("*.cu")):
        program, _ = compiled(library, source, PTX_ARCHITECTURE)
        file = folder / f"{source.stem}-{hash_of_sources()}.ptx"
        file.write_text(text_of(library, program, "PTX"))
        print(file)


def main():
    if sys.argv[1] == "--hash":
        print(hash_of_sources())
        return
    if sys.argv[1] == "--ptx":
        write_ptx(ctypes.CDLL(sys.argv[2]), Path(sys.argv[3]))
        return
    library, source = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2])
    for architecture in sys.argv[3:]:
        program, log = compiled(library, source, architecture, "--ptxas-options=-v")
        binary = text_of(library, program, "CUBIN", binary=True)
        for kernel, registers, stack, spills, code in sorted(rows(log, code_bytes(binary))):
            print(f"| `{kernel}` | {architecture} | {registers} | {stack} | {spills} | {code} |")


main()
