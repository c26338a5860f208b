#include <iostream>

#include "app/commands.h"

int main(int argc, char** argv) { return chancery::app::run(argc, argv, std::cout, std::cerr); }
