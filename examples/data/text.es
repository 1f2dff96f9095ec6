Anteayer mi hermano aprendió inglés con el médico en casa.
Mis padres quieren escribir una carta con mi hermano bajo el árbol mañana por la mañana.
El granjero quiere dibujar el barco con mi hermana en casa mañana por la mañana.
Mi abuela juega al fútbol con nuestros vecinos en el pueblo todas las noches.
Anteayer nuestros vecinos jugaron al fútbol con el médico en el pueblo.
El cocinero quiere buscar la llave con mi abuela en el pueblo la próxima semana.
Mi hija quiere tomar fotos con mi hermano en la ciudad mañana.
Mañana la chica quiere comer pescado con mis padres en el hotel.
Mi hija ve una película con nuestros vecinos en la escuela todos los domingos.
El próximo mes el médico lavará la bicicleta con los turistas en el pueblo.
La maestra quiere beber leche con mi hija bajo el árbol la próxima semana.
El cocinero leyó un libro con el médico bajo el árbol el año pasado.
Los niños toman fotos con el médico en la playa todas las mañanas.
El cocinero lee una carta con mi hija bajo el árbol todos los domingos.
Nuestros vecinos vendieron pan con los niños en la estación anoche.
El estudiante tomará fotos con mi hija en la ciudad el próximo mes.
Mis padres quieren cocinar arroz con mi hermano en la cocina la próxima semana.
El médico verá una película con mi hermano en el hotel mañana por la mañana.
Mi hermano lee un libro con mis padres en la escuela todos los domingos.
Mis amigos quieren ver un partido de fútbol en el pueblo mañana.
Mi abuela escucha las noticias en la escuela todos los domingos.
La chica quiere aprender matemáticas con el estudiante en casa el próximo mes.
Mi hermana bebió café con mis padres en casa anoche.
Los niños cocinaron sopa con mi hermana en el pueblo la semana pasada.
Mañana mis amigos quieren cantar una canción con mi hermana en el pueblo.
Todos los domingos mi hija come arroz en el mercado.
Mi hermana dibujó el barco con los niños en la escuela anoche.
Mi hermana esperó el autobús con mi hija en el pueblo la semana pasada.
La maestra quiere esperar el autobús con mi hija en la ciudad mañana por la mañana.
Mañana los niños quieren comprar fruta con el médico en el mercado.
La chica quiere ver una película en el hotel mañana por la mañana.
Nuestros vecinos lavaron la bicicleta con los turistas en el pueblo anteayer.
Mañana por la mañana mi hermano escuchará canciones antiguas con la maestra bajo el árbol.
Todas las noches mis padres buscan la llave con la maestra en el pueblo.
Mi hija cantará canciones antiguas con la chica junto al río el próximo mes.
Las mujeres cocinaron sopa con el granjero junto al río ayer.
Mis amigos aprenden matemáticas con los niños en la escuela todos los días.
El próximo mes los turistas quieren esperar el autobús en la estación.
Mi hermana dibujará el barco con los turistas en casa el próximo mes.
La próxima semana la maestra quiere tomar fotos con el médico en la playa.
Nuestros vecinos lavaron fruta en casa la semana pasada.
Mañana por la mañana los niños esperarán el tren con mis amigos en el pueblo.
La chica cocinó sopa con nuestros vecinos en casa anteayer.
La chica reparará la radio con mi abuela en casa pasado mañana.
Mis padres vieron una película con nuestros vecinos en la escuela la semana pasada.
Nuestros vecinos compran pan con el médico en la ciudad todos los días.
Mis amigos quieren esperar el autobús en la ciudad la próxima semana.
Mi hija toma fotos con la maestra en el jardín todos los días.
Los niños repararon el coche con el cocinero en la ciudad anoche.
Mi hija jugará al fútbol en el pueblo mañana por la mañana.
Los niños cantaron una canción con mi hija junto al río ayer.
Las mujeres cantaron canciones antiguas en la playa la semana pasada.
Los niños escucharon las noticias con el granjero en el jardín el año pasado.
Mi hija vio una película en la ciudad la semana pasada.
Mis amigos juegan al fútbol con el granjero en el pueblo todas las noches.
La maestra comprará pan con nuestros vecinos en el pueblo mañana por la mañana.
Mi hermano quiere leer el periódico en el hotel mañana por la mañana.
Mañana por la mañana la chica quiere plantar flores en la escuela.
Mi hija dibujó una casa en la playa anteayer.
Las mujeres beben agua con el médico bajo el árbol todas las noches.
Mi abuela dibujó una casa con el cocinero en la playa ayer.
Todos los días la maestra escucha las noticias con el granjero en la cocina.
El cocinero vio una película con el granjero en la ciudad la semana pasada.
El cocinero leyó una carta con mi hermano en el jardín la semana pasada.
Mi abuela quiere escuchar canciones antiguas con el granjero en el hotel mañana por la mañana.
El médico planta árboles con los niños en la escuela todas las mañanas.
Mi hermana quiere cantar canciones antiguas con mi abuela en el pueblo pasado mañana.
El granjero busca la bicicleta con el médico junto al río todas las mañanas.
El próximo mes mi hermana quiere dibujar árboles con los turistas junto al río.
Mañana por la mañana los niños quieren escuchar las noticias con los turistas en la cocina.
Todos los días mi hermano aprende inglés con mis padres en la ciudad.
Nuestros vecinos leyeron un libro con la chica en el hotel la semana pasada.
Los niños compran pan con nuestros vecinos en la ciudad todos los domingos.
Todas las noches el granjero aprende una canción con la maestra en la escuela.
El estudiante dibujó árboles con mi abuela junto al río anteayer.
La semana pasada mi abuela aprendió inglés en la escuela.
Pasado mañana el granjero venderá flores con la chica en el pueblo.
El cocinero aprendió chino con los turistas en la ciudad anteayer.
Ayer el estudiante leyó una carta con los turistas en el hotel.
Mi hermano lee una carta con mi abuela en la playa todas las mañanas.
Mañana por la mañana nuestros vecinos quieren beber té con el cocinero bajo el árbol.
La próxima semana los turistas cantarán una canción con mi abuela en la playa.
Mi abuela vendió pan con la chica en la estación el año pasado.
Los turistas lavaron la bicicleta en el pueblo la semana pasada.
Todos los domingos mis amigos cocinan sopa con la chica junto al río.
Los niños lavaron la bicicleta con nuestros vecinos en casa anoche.
Mañana por la mañana la chica quiere comer fruta con los turistas en la cocina.
La maestra leyó una carta con mi hermano en la estación anteayer.
Mis padres quieren comprar pescado con el médico en la ciudad mañana por la mañana.
Las mujeres repararon el coche con la chica en la ciudad anoche.
Mis padres leyeron un libro con mi hija en la escuela anoche.
La semana pasada los niños escribieron una carta en la escuela.
Mi hermana quiere vender pan con mis amigos en la ciudad mañana por la mañana.
Mi hermano tomó fotos en la escuela anoche.
La chica leyó una carta con las mujeres bajo el árbol ayer.
El médico aprenderá inglés con la chica en la escuela mañana por la mañana.
Mañana por la mañana las mujeres quieren comer pescado con mi hermano en el hotel.
Mañana mis amigos comerán pan con el granjero en el hotel.
Todas las mañanas mis padres comen arroz con los niños en el hotel.
La maestra quiere ver un partido de fútbol con el cocinero en el pueblo mañana por la mañana.
La chica dibujó el barco con el cocinero en el jardín ayer.
Pasado mañana los turistas quieren comprar flores con la chica en la ciudad.
Mis amigos quieren cocinar arroz junto al río el próximo mes.
Mis amigos leyeron un libro en la estación anoche.
La maestra esperará el autobús con mis padres en la estación mañana.
El cocinero vende pescado con mis amigos en el mercado todos los días.
Mis padres aprendieron una canción en la escuela anoche.
Las mujeres plantarán flores con el estudiante en el jardín mañana por la mañana.
El estudiante escribió una carta con mi hermano en el jardín anoche.
El cocinero plantará flores con la chica en la escuela pasado mañana.
Nuestros vecinos venden flores con mi hija en la ciudad todos los días.
Mi hermano lee una carta con la chica en el jardín todas las noches.
Mañana por la mañana el cocinero leerá una carta con mi abuela en el hotel.
El médico cocina pescado con los niños junto al río todas las noches.
Todos los domingos el estudiante lava la bicicleta con nuestros vecinos junto al río.
Los turistas quieren comer arroz con mi hermano en la cocina la próxima semana.
Mañana por la mañana mi abuela quiere beber leche con el granjero en la ciudad.
El médico escribe un poema con mi hermana en casa todos los días.
La chica escribirá un cuento en el hotel el próximo mes.
Pasado mañana el estudiante quiere tomar fotos con mi abuela en el mercado.
El año pasado las mujeres lavaron la bicicleta con la maestra junto al río.
El próximo mes mis amigos comprarán fruta en la estación.
Los turistas compraron leche con mi abuela en el mercado anteayer.
Los turistas cantaron una canción con el médico en el pueblo anteayer.
Mañana las mujeres lavarán la bicicleta con mi abuela en el pueblo.
Nuestros vecinos dibujaron flores con mis padres en casa anoche.
Los niños buscan agua con el granjero en el pueblo todas las mañanas.
Mis padres quieren escribir una carta con los turistas en casa el próximo mes.
El cocinero escuchó las noticias con el granjero en casa anteayer.
Mi hermano quiere cantar una canción con mis amigos bajo el árbol pasado mañana.
Mi abuela canta canciones antiguas con mi hermano junto al río todas las mañanas.
Las mujeres vieron un partido de fútbol con nuestros vecinos en la escuela el año pasado.
La maestra cocinó sopa con los niños junto al río ayer.
Mis padres quieren escuchar música con la chica en el jardín mañana.
Nuestros vecinos compran flores en el pueblo todas las mañanas.
El cocinero ve un partido de fútbol con las mujeres en el hotel todas las mañanas.
Los turistas leyeron una carta con el granjero en el jardín ayer.
Mañana la maestra beberá té con mis amigos en la ciudad.
El cocinero lavará la bicicleta con el médico en el pueblo mañana por la mañana.
Las mujeres comprarán pescado con mi hija en el pueblo mañana.
El estudiante quiere buscar la llave con la maestra en el jardín la próxima semana.
Los niños cantaron canciones antiguas con mi abuela bajo el árbol anteayer.
Mi hermana escuchará música con los turistas en el hotel pasado mañana.
La maestra quiere leer el periódico con los niños en casa el próximo mes.
Los niños esperaron el autobús en el pueblo anoche.
Nuestros vecinos jugaron al fútbol en el pueblo el año pasado.
Mis padres quieren jugar al fútbol en la escuela la próxima semana.
Mis amigos juegan al fútbol con los niños en el jardín todas las noches.
Mi hermana comprará pan en el pueblo mañana por la mañana.
La chica juega al fútbol con los niños en la playa todas las noches.
Los niños quieren dibujar flores con mis padres en el jardín pasado mañana.
Todos los domingos el cocinero espera el tren con mis amigos en la ciudad.
Mis amigos dibujarán flores con los turistas en la playa la próxima semana.
Las mujeres comerán arroz con mis padres bajo el árbol mañana por la mañana.
Los turistas esperarán el autobús con el granjero en el pueblo la próxima semana.
El año pasado nuestros vecinos bebieron agua con el cocinero en el hotel.
Mis amigos lavan el coche con el médico junto al río todas las mañanas.
Los niños tomarán fotos en la playa mañana por la mañana.
Mis amigos compraron pan en el pueblo anoche.
Mi hermana compró flores con los niños en el pueblo anoche.
Mi abuela jugó al fútbol en el pueblo anoche.
Nuestros vecinos quieren esperar el autobús en la estación el próximo mes.
Las mujeres comieron pescado con el estudiante en casa la semana pasada.
Mis amigos aprendieron chino en casa la semana pasada.
Mi hermana lava la bicicleta en el pueblo todas las mañanas.
Mi hija quiere escuchar música con mi hermana en el jardín el próximo mes.
Mis amigos comprarán pan en la estación la próxima semana.
El estudiante repara el barco con el granjero en casa todas las mañanas.
Mis padres verán un partido de fútbol con el médico en el pueblo la próxima semana.
El cocinero quiere leer un libro con los niños bajo el árbol mañana por la mañana.
Las mujeres ven un partido de fútbol en la ciudad todas las noches.
La maestra vio una película con mi hermano en casa la semana pasada.
El próximo mes las mujeres quieren comer pescado con mi hermana en casa.
Todas las noches las mujeres cantan canciones antiguas con los niños en casa.
Mi hermano lava fruta con las mujeres junto al río todas las mañanas.
El cocinero verá un partido de fútbol con los turistas en la ciudad mañana.
Mis amigos venderán pescado con los turistas en la ciudad pasado mañana.
La semana pasada el cocinero buscó la llave con los turistas junto al río.
Mi abuela tomó fotos en la playa la semana pasada.
Los niños comprarán pan con mi hermana en el pueblo mañana por la mañana.
Nuestros vecinos quieren ver una película en la ciudad mañana por la mañana.
El granjero cantará canciones antiguas con mi hermana en casa mañana.
Los niños escriben un poema con mis padres en casa todas las mañanas.
El cocinero vio un partido de fútbol con mi hermana en la ciudad anteayer.
Mis amigos quieren comer fruta en la cocina el próximo mes.
Mi hermana canta una canción con las mujeres en la playa todas las noches.
Nuestros vecinos plantaron flores con la maestra en el jardín el año pasado.
Los niños verán un partido de fútbol en el pueblo el próximo mes.
El estudiante reparó la bicicleta con la chica en la ciudad anteayer.
Todos los días las mujeres comen arroz con mis padres en el mercado.
Anteayer el granjero cocinó arroz con las mujeres en el hotel.
El granjero tomó fotos con el médico en el jardín anoche.
Mi hermana quiere cantar una canción con mis padres en casa la próxima semana.
El granjero vio una película con el cocinero en la ciudad ayer.
Nuestros vecinos jugarán al fútbol con mis amigos en el jardín la próxima semana.
Todos los días el granjero escucha las noticias con el estudiante en la cocina.
Las mujeres lavarán fruta con mi hermano en casa pasado mañana.
Mi hermano busca la bicicleta con mis amigos en el jardín todos los días.
La chica cantará una canción con mi hermana en la escuela mañana.
Los niños bebieron café con mis padres en la ciudad anoche.
