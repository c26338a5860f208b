#!/usr/bin/python3
"""Holds that every file compiles without the precompiled header (fuzzing and clang-tidy have none): what cmake/pch.h
would give silently, a file that uses it includes itself, or through the headers of this project that it includes.
Exit 1 names each file and header that is missing."""
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"

RANGES = (r"std::ranges::(all_of|any_of|none_of|find|find_if|find_if_not|count|count_if|copy|copy_n|copy_if|equal|fill|for_each"
          r"|transform|replace|reverse|rotate|shuffle|unique|sort|stable_sort|is_sorted|lower_bound|upper_bound|equal_range"
          r"|binary_search|min|max|min_element|max_element|minmax|mismatch|remove|remove_if|search|includes|set_\w+|generate"
          r"|adjacent_find|contains|starts_with|ends_with|partition|merge|lexicographical_compare|nth_element|partial_sort)\b")
ALGORITHMS = (r"std::(all_of|any_of|none_of|find|find_if|count|count_if|copy|copy_n|copy_if|equal|fill|fill_n|for_each|transform"
              r"|replace|reverse|rotate|shuffle|unique|sort|stable_sort|lower_bound|upper_bound|binary_search|min|max|clamp|minmax"
              r"|min_element|max_element|mismatch|remove|remove_if|search|generate|partition|merge|nth_element)\b(?!_)")
USES = {
    "algorithm": rf"{RANGES}|{ALGORITHMS}",
    "array": r"std::array\b",
    "chrono": r"std::chrono\b",
    "cstdint": r"std::u?int(8|16|32|64|ptr|max)_t\b",
    "cstring": r"std::(mem(cpy|cmp|set|move|chr)|strlen|strcmp|strerror)\b",
    "expected": r"std::(expected|unexpected)\b",
    "functional": r"std::(function|less|greater|hash|invoke)\b",
    "map": r"std::(multi)?map\b",
    "memory": r"std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared)\b",
    "optional": r"std::(optional|nullopt)\b",
    "span": r"std::(span|as_bytes)\b",
    "string": r"std::(string|to_string|stoi|stoul|getline)\b",
    "string_view": r"std::string_view\b",
    "system_error": r"std::(system_error|error_code|errc|system_category|generic_category)\b",
    "unordered_map": r"std::unordered_(multi)?map\b",
    "utility": r"std::(pair|exchange|make_pair|in_place)\b",
    "variant": r"std::(variant|visit|get_if|holds_alternative|monostate)\b",
    "vector": r"std::vector\b",
    "fmt/format.h": r"\bfmt::",
}
# Headers of the standard library that promise what another declares, e.g. every container of strings its allocator's.
PROMISED = {
    "string": {"string_view"}, "map": {"utility"}, "unordered_map": {"utility"}, "memory": set(),
    "sstream": {"string", "string_view"}, "iostream": {"string", "string_view"}, "fstream": {"string", "string_view"},
    "filesystem": {"string", "string_view", "chrono", "system_error"}, "future": {"system_error"}, "thread": {"chrono"},
    "condition_variable": {"chrono"}, "fmt/core.h": {"fmt/format.h"}, "fmt/chrono.h": {"fmt/format.h", "chrono"},
    "cinttypes": {"cstdint"}, "fmt/ranges.h": {"fmt/format.h"}, "fmt/args.h": {"fmt/format.h"},
}


@functools.cache
def given(path):
    """The standard headers that including `path` gives, by #include lines of this project's files only."""
    found = set()
    for bracket, name in re.findall(r'^#include ([<"])([^>"]+)[>"]', path.read_text(), re.M):
        if bracket == "<":
            found |= {name} | PROMISED.get(name, set())
            continue
        for base in (SOURCE, path.parent, ROOT):
            if (base / name).exists():
                found |= given(base / name)
                break
    return frozenset(found)


def code_of(path):
    """The text without comments and string literals."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def faults():
    for path in sorted([*SOURCE.rglob("*.h"), *SOURCE.rglob("*.cc")]):
        code, has = code_of(path), given(path)
        for header, use in USES.items():
            if header not in has and re.search(use, code):
                yield path, header


def main():
    found = list(faults())
    for path, header in found:
        print(f"{path.relative_to(ROOT)}:1: uses <{header}>, but includes it nowhere")
    print(f"{len(found)} includes are missing" if found else "every file includes what it uses of the precompiled header")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
